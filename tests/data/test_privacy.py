"""NHS numbers are refused whatever the column is called, and no message shows one.

The numbers are made here from nine digits and the check digit that follows from them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucimpact.data.privacy import holds_nhs_numbers, is_nhs_number, refuse_nhs_numbers
from ucimpact.errors import DataError


def with_check_digit(nine: str) -> str | None:
    """Ten digits, or None where the check digit would be 10 and the number is not given out."""
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(nine))
    check = (11 - total % 11) % 11
    return None if check == 10 else nine + str(check)


VALID = [n for i in range(40) if (n := with_check_digit(f"{943_476_591 + 137 * i:09d}"))]
DIGITS = st.text("0123456789", min_size=9, max_size=9)


def test_the_published_example_passes():
    assert is_nhs_number("943 476 5919")  # the example of the NHS Data Dictionary


@pytest.mark.parametrize("form", ["{0}", "{1} {2} {3}", "{1}-{2}-{3}", " {0} ", "{0}.0", "{0}.00", "'{0}"])
def test_spaces_and_dashes_do_not_hide_a_number(form):
    number = VALID[0]
    assert is_nhs_number(form.format(number, number[:3], number[3:6], number[6:]))


def test_a_number_cell_of_a_workbook_is_read_as_its_digits():
    assert is_nhs_number(int(VALID[0]))
    assert is_nhs_number(float(VALID[0]))
    assert is_nhs_number(f"{int(VALID[0]):.9E}")
    assert not is_nhs_number("9.43E+09")  # the digits are lost


@given(DIGITS, st.integers(1, 9))
def test_one_wrong_digit_fails_the_check(nine, change):
    number = with_check_digit(nine)
    if number is not None:
        wrong = str((int(number[0]) + change) % 10) + number[1:]
        assert is_nhs_number(number)
        assert not is_nhs_number(wrong)


@pytest.mark.parametrize(
    "value",
    [None, "", True, 12.5, float("nan"), float("inf"), "94347659190", "943476591", "RA3", "２434765919"],
)
def test_other_cells_are_no_nhs_numbers(value):
    assert not is_nhs_number(value)


def test_nine_in_ten_is_refused_and_fewer_is_not():
    wrong = str((int(VALID[0][0]) + 1) % 10) + VALID[0][1:]
    assert holds_nhs_numbers([*VALID[:9], wrong, None, ""])
    assert not holds_nhs_numbers([*VALID[:8], wrong, wrong])
    assert not holds_nhs_numbers([None, "", float("nan")])


def test_practice_codes_and_counts_are_not_taken_for_people():
    assert not holds_nhs_numbers([f"Y{n:05d}" for n in range(100)])
    assert not holds_nhs_numbers(range(1_000_000_000, 1_000_000_100))


def test_every_such_column_is_named_and_no_value_is_shown():
    with pytest.raises(DataError) as caught:
        refuse_nhs_numbers({"id": VALID, "n": [1] * len(VALID), VALID[3]: VALID}, file="people.csv")
    message = str(caught.value)
    assert [p.column for p in caught.value.problems] == ["id", "(its name is a number too)"]
    assert "people.csv" in message
    assert not any(number in message for number in VALID)


@pytest.mark.parametrize("others, held", [(2_500, True), (2_501, False)])
def test_a_long_column_is_judged_by_all_of_its_cells_wherever_the_others_stand(others, held):
    numbers, words = ["9434765919"] * 22_500, ["a word"] * others
    assert holds_nhs_numbers(words + numbers) is held
    assert holds_nhs_numbers(numbers + words) is held
