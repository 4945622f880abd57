"""How cockpit and CLI reach a box and its slots: found, started on demand, called. No rule of theirs is here."""
