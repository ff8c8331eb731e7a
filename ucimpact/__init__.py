"""ucimpact: did a health-service pilot change admissions and costs, and how sure are we?"""

__version__ = "0.1.0"
