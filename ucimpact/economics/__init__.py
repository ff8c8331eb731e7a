"""What a change was worth: unit costs as data, three kinds of pounds, and a valuation on joint draws."""
