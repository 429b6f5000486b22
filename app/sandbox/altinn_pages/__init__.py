"""Altinn's pages for people, as far as a demonstration clicks through them: /am-ui."""
