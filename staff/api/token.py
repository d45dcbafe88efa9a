"""Where a client gets its token: POST with grant_type=client_credentials."""

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.cache import never_cache
from oauth2_provider.views import TokenView

token = login_not_required(never_cache(TokenView.as_view()))
