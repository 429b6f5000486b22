"""Whether C# files are C#. Runs where the parser is installed; ends with 1 if one is not."""

import sys
from pathlib import Path

import tree_sitter_c_sharp
from tree_sitter import Language, Parser


def main(names: list[str]) -> int:
    parser = Parser(Language(tree_sitter_c_sharp.language()))
    wrong = [name for name in names if parser.parse(Path(name).read_bytes()).root_node.has_error]
    print(f"{len(names)} files, wrong: {', '.join(wrong) or 'none'}.")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
