"""Masks show what reliability.md §3 allows, and nothing more."""

import pytest

from staff import masking
from staff.models import Staff
from staff.roles import Role


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("沈雅琴", "沈**"), ("王伟", "王*"), ("欧阳修", "欧阳*"), ("欧阳娜娜", "欧阳**"), ("欧阳", "欧*"),
        ("阿卜杜拉·买买提", "阿**"), ("王", "王"), ("John Smith", "J**"), ("", ""),
    ],
)  # fmt: skip
def test_a_name_keeps_its_surname(name, mask):
    assert masking.mask_name(name) == mask


@pytest.mark.parametrize(
    ("number", "mask"),
    [
        ("13812346021", "138 **** 6021"), ("+86 138-1234-6021", "138 **** 6021"), ("0571-87654321", "0571 **** 21"),
        ("010 12345678", "010 **** 78"), ("12345", "**** 45"), ("123", "***"), ("", ""),
    ],
)  # fmt: skip
def test_a_phone_number_keeps_its_ends(number, mask):
    assert masking.mask_mobile(number) == mask


def test_an_identity_number_keeps_first_and_last():
    assert masking.mask_id_no("430111199001011236") == "4****************6"
    assert masking.mask_id_no("E12345678") == "E*******8"
    assert masking.mask_id_no("12") == "**"


@pytest.mark.parametrize(
    ("address", "mask"),
    [
        ("浙江省杭州市西湖区文三路123号5幢", "浙江省杭州市西湖区文三路***"),
        ("北京市海淀区中关村大街27号", "北京市海淀区中关村***"),
        ("上海市浦东新区8号", "上海市浦东新区***"),
        ("人民大道88号", "人民大道***"),
        ("", ""),
    ],
)
def test_an_address_keeps_its_road(address, mask):
    assert masking.mask_address(address) == mask


def test_the_others_keep_what_tells_them_apart():
    assert masking.mask_card("6222 0212 3456 3392") == "**** 3392"
    assert masking.mask_email("zhang.wei@bank.example") == "z***@bank.example"
    assert masking.mask_wechat("syq1988") == "sy***"


def test_those_who_serve_read_the_name_and_those_who_oversee_the_mask():
    assert masking.name_for(Staff(role=Role.RELATIONSHIP_MANAGER), "沈雅琴") == "沈雅琴"
    assert masking.name_for(Staff(role=Role.AUDITOR), "沈雅琴") == "沈**"
    assert masking.name_for(Staff(role=Role.RETAIL_ADMIN), "沈雅琴") == "沈**"
