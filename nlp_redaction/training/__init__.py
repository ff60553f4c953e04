"""How the models and the word lists were made, so that anybody can make them again."""
