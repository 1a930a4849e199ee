subroutine total(n, x, s) bind(c, name="fortran_total")
  use iso_c_binding
  integer(c_int), value :: n
  real(c_double), intent(in) :: x(n)
  real(c_double), intent(out) :: s
  s = sum(x * x)
end subroutine
