"""How often the intervals hold the truth, and how often nothing is called something: ``make calibrate``."""
