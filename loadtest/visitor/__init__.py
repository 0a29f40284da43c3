"""A visitor without a browser: the same links, messages, ICE and DTLS, over the real wire."""
