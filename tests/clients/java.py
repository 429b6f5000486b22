"""Java: generator `java`, library `native`, from OpenAPI 3.0.3; compiled without Maven.

The class path has what the client's own build file names: Jackson, which the generator's program
holds too, and Jakarta's annotations.
"""

from collections.abc import Sequence

from tests.clients.debian import unpacked
from tests.clients.generating import OLDER, demand_operations, generate, generator_jar
from tests.clients.running import copy_examples, java_options, new_folder, play, run
from tests.sandboxes import Ready

PACKAGE = "no.helseid.onboarding"
OPTIONS = {
    "library": "native",
    "openApiNullable": "false",
    "useJakartaEe": "true",
    "annotationLibrary": "none",
    "documentationProvider": "none",
    "useSingleRequestParameter": "true",
    "invokerPackage": PACKAGE,
    "apiPackage": f"{PACKAGE}.api",
    "modelPackage": f"{PACKAGE}.model",
}


def check(sandboxes: Sequence[Ready]) -> None:
    folder = new_folder("java")
    generate("java", OLDER, OPTIONS, into=folder)
    sources = sorted((folder / "src" / "main" / "java").rglob("*.java"))
    operations = [path for path in sources if path.parent.name == "api"]
    demand_operations(operations, lambda name: rf"\n  public \S+ {name}\(")
    examples = copy_examples("java", folder, ".java")

    annotations = unpacked(
        "usr/share/java/jakarta-annotation-api.jar", ["libjakarta-annotation-api-java"]
    )
    libraries = f"{generator_jar()}:{annotations}"
    compiler = ["javac", *(f"-J{option}" for option in java_options()), "-d", "classes"]
    run(*compiler, "-cp", libraries, *sources, folder=folder)
    strict = ["-Xlint:all,-serial,-processing,-classfile", "-Werror", "-proc:none"]
    run(*compiler, *strict, "-cp", f"classes:{libraries}", *examples, folder=folder)
    program = [
        "java",
        "-Dfile.encoding=UTF-8",
        *java_options(),
        "-cp",
        f"classes:{libraries}",
        "Journey",
    ]
    play(sandboxes, *program, folder=folder)
