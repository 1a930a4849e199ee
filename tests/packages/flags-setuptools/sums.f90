integer function sums()
  integer :: i
  sums = sum((/ (i, i = 1, 16) /))
end function
