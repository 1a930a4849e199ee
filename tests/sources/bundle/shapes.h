/* Classes that two modules share through a library. */
#include <stdexcept>
struct Shape {
    virtual ~Shape();
    virtual double area() const = 0;
};
struct Square : Shape {
    double side;
    explicit Square(double side) : side(side) {}
    double area() const override;
};
struct ShapeError : std::runtime_error {
    using std::runtime_error::runtime_error;
    ~ShapeError() override;
};
