"""How right and how fast: the calibration board and the speed board."""
