"""Compare texts by each of the compiled modules."""

from rapidfuzz import _feature_detector_cpp, _utils_cpp, fuzz_cpp, process_cpp, utils
from rapidfuzz.distance import Levenshtein, _initialize_cpp, metrics_cpp

assert _feature_detector_cpp.AVX2 is not None
assert _utils_cpp.default_process("A!") == utils.default_process("A!") == "a"
assert fuzz_cpp.ratio("this is a test", "this is a test!") > 96
assert metrics_cpp.levenshtein_distance("lewenstein", "levenshtein") == 2
assert process_cpp.extractOne("b", ["a", "b"])[0] == "b"
assert Levenshtein.editops("ab", "ac").as_list() == [("replace", 1, 1)]
assert _initialize_cpp.Editops
words = [f"{i * 7919 % 100_003} some words of length {i % 13}" for i in range(3000)]


def loop() -> None:
    process_cpp.extract("words of some length 7 and 5003", words, scorer=fuzz_cpp.ratio)
