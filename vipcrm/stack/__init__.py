"""The runner of the embedded stack: PostgreSQL, Valkey and a catcher of e-mails as our own children.

Nothing here imports Django: it makes the environment that `vipcrm.settings` reads.

    DATABASE_URL  postgres://vipcrm:PASSWORD@:5432/vipcrm?host=/folder/of/the/socket
    REDIS_URL     unix:///folder/of/the/socket/valkey.sock
    EMAIL_URL     smtp://127.0.0.1:PORT

The settings make the cache (`unix:///…/valkey.sock?db=1`) and Celery's broker
(`redis+socket:///…/valkey.sock?virtual_host=0`) from REDIS_URL. A variable that is already set is
kept, and its embedded part is not started. Everything lives in the folder VAR (`var/`):

    postgres/    the data folder, and the passwords beside it       valkey/   the append-only file
    run/         sockets, 0700                                      mail/     caught e-mails, a Maildir
    keys.json    SECRET_KEY and FIELD_KEYS, made once, 0600         static/   collected static files
    stack.lock   held while a stack runs; stack.json says where the running one listens
"""
