"""What an identity number, a mobile and an address are compared by."""

import pytest

from customers.identity import building_key

BUILDINGS = {
    "澜江市解放路8号3幢2单元501室": "澜江市解放路8号3幢",
    "澜江市 解放路 8 号 3 幢 1 单元 101 室": "澜江市解放路8号3幢",
    "澜江市江北大道 88 号": "澜江市江北大道88号",
    "滨江区江陵路100号碧云居5栋2306": "滨江区江陵路100号碧云居5栋",
    "学府路203号b座1802室": "学府路203号B座",
    "中山路国际大厦1801室": "中山路国际大厦",
    "青湖区绿城小区十二号楼": "青湖区绿城小区十二号楼",
    "澜江市解放路": "",
    "": "",
}


@pytest.mark.parametrize("address", BUILDINGS)
def test_an_address_is_known_by_its_building(address):
    assert building_key(address) == BUILDINGS[address]
