"""SDP answers, DTLS and candidates: what happens once per connection."""
