"""Where the document server begins: SecantusDB (GPL-2.0), a program of its own that shares nothing with the application but the folder."""

import sys

from secantus.cli import main

sys.exit(main())
