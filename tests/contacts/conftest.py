"""An outlet and its head, as most tests of contacts begin."""

import pytest

from staff.roles import Role
from tests.factories import BranchFactory, StaffFactory


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")
