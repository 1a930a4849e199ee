// Python bindings of search.hpp: arrays are checked here and passed on without a copy.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include "search.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Array = nb::ndarray<nb::ro, nb::device::cpu>;
template <class T>
using Result = nb::ndarray<nb::numpy, T, nb::ndim<2>>;

std::string shape_of(const Array &array) {
    std::string text = "(";
    for (std::size_t i = 0; i < array.ndim(); ++i)
        text += (i != 0 ? ", " : "") + std::to_string(array.shape(i));
    return text + (array.ndim() == 1 ? ",)" : ")");
}

std::string dtype_of(const Array &array) {
    switch (static_cast<nb::dlpack::dtype_code>(array.dtype().code)) {
        case nb::dlpack::dtype_code::Int: return "int" + std::to_string(array.dtype().bits);
        case nb::dlpack::dtype_code::UInt: return "uint" + std::to_string(array.dtype().bits);
        case nb::dlpack::dtype_code::Float: return "float" + std::to_string(array.dtype().bits);
        case nb::dlpack::dtype_code::Complex: return "complex" + std::to_string(array.dtype().bits);
        case nb::dlpack::dtype_code::Bool: return "bool";
        default: return "another type";
    }
}

// Return the two-dimensional C-order array that `object` provides, without a copy.
Array to_array(nb::handle object, const char *name) {
    Array array;
    if (!nb::try_cast(object, array, false)) {
        const std::string type = nb::type_name(object.type()).c_str();
        throw nb::type_error((std::string(name) + " is not an array in CPU memory: " + type).c_str());
    }
    if (array.ndim() != 2)
        throw nb::value_error((std::string(name) + " must have two dimensions, but its shape is " +
                               shape_of(array)).c_str());
    if (array.shape(1) == 0)
        throw nb::value_error((std::string(name) + " has rows without columns, shape " +
                               shape_of(array)).c_str());
    const bool rows_in_order = array.shape(0) < 2 ||
                               array.stride(0) == static_cast<std::int64_t>(array.shape(1));
    const bool columns_in_order = array.shape(1) < 2 || array.stride(1) == 1;
    if (array.shape(0) != 0 && !(rows_in_order && columns_in_order))
        throw nb::value_error((std::string(name) + " must be contiguous in C order: pass "
                               "numpy.ascontiguousarray(" + name + ")").c_str());
    return array;
}

void check_pair(const Array &base, const Array &queries) {
    if (base.shape(1) != queries.shape(1))
        throw nb::value_error(("base and queries differ in columns: shapes " + shape_of(base) +
                               " and " + shape_of(queries)).c_str());
}

std::size_t check_k(nb::int_ k, const Array &base) {
    // Compared as Python integers, so that a number of any size gives the same error.
    if (k < nb::int_(1) || k > nb::int_(base.shape(0)))
        throw nb::value_error(("k must be between 1 and the " + std::to_string(base.shape(0)) +
                               " rows of base, not " + nb::str(k).c_str()).c_str());
    return static_cast<std::size_t>(k);
}

template <class T>
struct Output {
    explicit Output(std::size_t rows, std::size_t columns)
        : rows(rows), columns(columns), values(new T[rows * columns]) {}

    Result<T> release() {
        nb::capsule owner(values.get(), [](void *p) noexcept { delete[] static_cast<T *>(p); });
        return Result<T>(values.release(), {rows, columns}, owner);
    }

    std::size_t rows, columns;
    std::unique_ptr<T[]> values;
};

vecsearch::Metric to_metric(const std::string &name) {
    if (name == "ip") return vecsearch::Metric::inner_product;
    if (name == "l2") return vecsearch::Metric::squared_l2;
    throw nb::value_error(("metric must be \"ip\" or \"l2\", not \"" + name + "\"").c_str());
}

vecsearch::Matrix<std::uint16_t> to_halves(const Array &array, const char *name) {
    const auto wanted = nb::dlpack::dtype{static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float), 16, 1};
    if (array.dtype() != wanted)
        throw nb::type_error((std::string(name) + " must be float16, not " + dtype_of(array)).c_str());
    return {static_cast<const std::uint16_t *>(array.data()), array.shape(0), array.shape(1)};
}

vecsearch::Matrix<std::uint8_t> to_bytes(const Array &array, const char *name) {
    const auto type = array.dtype();
    if (type != nb::dtype<std::uint8_t>() && type != nb::dtype<std::uint64_t>())
        throw nb::type_error((std::string(name) + " must be uint8 or uint64, not " + dtype_of(array)).c_str());
    return {static_cast<const std::uint8_t *>(array.data()), array.shape(0),
            array.shape(1) * (type.bits / 8U)};
}

using SearchHalves = decltype(&vecsearch::search_fp16);

int gpu_count() {
#if defined(VECSEARCH_GPU)
    return vecsearch::gpu_count();
#else
    return 0;
#endif
}

SearchHalves to_search(const std::string &device) {
    if (device == "cpu") return &vecsearch::search_fp16;
    if (device != "gpu")
        throw nb::value_error(("device must be \"cpu\" or \"gpu\", not \"" + device + "\"").c_str());
#if defined(VECSEARCH_GPU)
    if (gpu_count() > 0) return &vecsearch::search_fp16_gpu;
    throw std::runtime_error("no GPU can be used on this machine");
#else
    throw std::runtime_error("vecsearch was built without a GPU kernel");
#endif
}

std::pair<Result<float>, Result<std::int64_t>> search_fp16(nb::object base_object,
                                                           nb::object queries_object, nb::int_ k_object,
                                                           const std::string &metric_name,
                                                           const std::string &device) {
    const Array base_array = to_array(base_object, "base");
    const Array queries_array = to_array(queries_object, "queries");
    const auto base = to_halves(base_array, "base");
    const auto queries = to_halves(queries_array, "queries");
    check_pair(base_array, queries_array);
    const std::size_t k = check_k(k_object, base_array);
    const vecsearch::Metric metric = to_metric(metric_name);
    const SearchHalves search = to_search(device);
    Output<float> scores(queries.rows, k);
    Output<std::int64_t> indices(queries.rows, k);
    {
        nb::gil_scoped_release release;
        search(base, queries, metric, k, scores.values.get(), indices.values.get());
    }
    return {scores.release(), indices.release()};
}

std::pair<Result<std::int32_t>, Result<std::int64_t>> search_hamming(nb::object base_object,
                                                                     nb::object queries_object,
                                                                     nb::int_ k_object) {
    const Array base_array = to_array(base_object, "base");
    const Array queries_array = to_array(queries_object, "queries");
    const auto base = to_bytes(base_array, "base");
    const auto queries = to_bytes(queries_array, "queries");
    if (base_array.dtype() != queries_array.dtype())
        throw nb::type_error(("base and queries differ in type: " + dtype_of(base_array) + " and " +
                              dtype_of(queries_array)).c_str());
    check_pair(base_array, queries_array);
    const std::size_t k = check_k(k_object, base_array);
    Output<std::int32_t> distances(queries.rows, k);
    Output<std::int64_t> indices(queries.rows, k);
    {
        nb::gil_scoped_release release;
        vecsearch::search_hamming(base, queries, k, distances.values.get(), indices.values.get());
    }
    return {distances.release(), indices.release()};
}

}  // namespace

NB_MODULE(_core, module) {
    module.def("search_fp16", &search_fp16, "base"_a.none(), "queries"_a.none(), "k"_a,
               "metric"_a = "ip", "device"_a = "cpu");
    module.def("search_hamming", &search_hamming, "base"_a.none(), "queries"_a.none(), "k"_a);
    module.def("gpu_count", &gpu_count);
    module.def("compiled_for", [] { return std::string(vecsearch::compiled_for()); });
}
