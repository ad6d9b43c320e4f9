"""One file a story. A flow gathers from the store, decides in `surveys`, applies in one transaction, and
speaks to the outside only after the commit, through the outbox."""
