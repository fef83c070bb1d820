"""Is this paper genuine? Answers from a file or a code and a trust list alone: no server, no network, no Qt."""
