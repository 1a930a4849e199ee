"""`python -m variantbuild`."""

import sys

from variantbuild.cli import main

sys.exit(main())
