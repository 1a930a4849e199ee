#include "shapes.h"
Shape::~Shape() {}
ShapeError::~ShapeError() {}
double Square::area() const
{
    double rows[64], sum = 0;
    for (int i = 0; i < 64; i++)
        rows[i] = side * side / 64;
    for (int i = 0; i < 64; i++)
        sum += rows[i];
    return sum;
}
