"""Compare texts by each of the compiled modules."""

from rapidfuzz import _feature_detector_cpp, fuzz_cpp, fuzz_cpp_avx2, process_cpp_impl, utils_cpp
from rapidfuzz.distance import _initialize_cpp, metrics_cpp, metrics_cpp_avx2

assert _feature_detector_cpp.supports(_feature_detector_cpp.AVX2)
assert utils_cpp.default_process("A!") == "a"
assert process_cpp_impl.extractOne("b", ["a", "b"])[0] == "b"
assert _initialize_cpp.Editops([("replace", 1, 1)], 2, 2).as_list() == [("replace", 1, 1)]
for fuzz in (fuzz_cpp, fuzz_cpp_avx2):
    assert fuzz.ratio("this is a test", "this is a test!") > 96
for metrics in (metrics_cpp, metrics_cpp_avx2):
    assert metrics.levenshtein_distance("lewenstein", "levenshtein") == 2
