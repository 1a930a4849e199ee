"""Read and write YAML by libyaml."""

import yaml

assert yaml.__with_libyaml__
text = "a: [1, 2.5, yes]\nb: {c: 'ü'}\n"
value = yaml.load(text, Loader=yaml.CSafeLoader)
assert value == {"a": [1, 2.5, True], "b": {"c": "ü"}}
assert yaml.load(yaml.dump(value, Dumper=yaml.CSafeDumper), Loader=yaml.CSafeLoader) == value
