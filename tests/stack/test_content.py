"""The image's tag: the same for the same image, another for another."""

from pathlib import Path

import pytest

from stack.tasks.content import content_hash, context_files

FILES = {
    ".dockerignore": "# only this\n*\n!api/**\n!requirements/serving.txt\n!Dockerfile\n**/__pycache__\n",
    ".env": "SECRET=1",
    ".git/HEAD": "ref",
    "Dockerfile": "FROM python:3.13-slim",
    "README.md": "Read me",
    "api/__init__.py": "",
    "api/app.py": "app = 1",
    "api/__pycache__/app.cpython-313.pyc": "bytecode",
    "requirements/serving.txt": "numpy==2.4.6",
    "requirements/training.txt": "pandas==3.1.1",
    "tests/test_app.py": "import api.app",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of a few files."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644)
    return tmp_path


def tag(root: Path, *, platform: str = "linux/amd64", **build_args: str) -> str:
    return content_hash(root, platform=platform, build_args=build_args)


def test_only_what_dockerignore_lets_in_counts(root: Path) -> None:
    """The files are those that the build sees."""
    assert context_files(root) == ["Dockerfile", "api/__init__.py", "api/app.py", "requirements/serving.txt"]


@pytest.mark.parametrize("name", ["README.md", "tests/test_app.py", "requirements/training.txt", ".env", ".git/HEAD"])
def test_what_stays_out_of_the_image_leaves_the_tag(root: Path, name: str) -> None:
    """A document, a test or another room's lock builds no image."""
    before = tag(root)
    (root / name).write_text("changed")
    assert tag(root) == before


def test_bytecode_and_comments_leave_the_tag(root: Path) -> None:
    """Running the code, or explaining .dockerignore, builds no image."""
    before = tag(root)
    (root / "api/__pycache__/new.cpython-313.pyc").write_text("bytecode")
    (root / ".dockerignore").write_text("# another comment\n" + FILES[".dockerignore"])
    assert tag(root) == before


@pytest.mark.parametrize("name", ["api/app.py", "requirements/serving.txt", "Dockerfile"])
def test_what_goes_into_the_image_changes_the_tag(root: Path, name: str) -> None:
    """Code, lock and Dockerfile each make another image."""
    before = tag(root)
    (root / name).write_text(FILES[name] + "\n")
    assert tag(root) != before


def test_a_new_a_moved_and_an_executable_file_change_the_tag(root: Path) -> None:
    """Names and modes are part of the image."""
    tags = {tag(root)}
    (root / "api/new.py").write_text("")
    tags.add(tag(root))
    (root / "api/new.py").rename(root / "api/newer.py")
    tags.add(tag(root))
    (root / "api/newer.py").chmod(0o755)
    tags.add(tag(root))
    assert len(tags) == 4


def test_how_it_is_built_changes_the_tag(root: Path) -> None:
    """Another platform or build argument makes another image."""
    tags = {tag(root), tag(root, platform="linux/arm64"), tag(root, PYTHON="3.11"), tag(root, PYTHON="3.13")}
    assert len(tags) == 4


def test_the_same_files_elsewhere_have_the_same_tag(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the place of a checkout nor the time of its files counts."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in context_files(root):
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_text(FILES[name])
        (elsewhere / name).chmod(0o644)
    (elsewhere / ".dockerignore").write_text(FILES[".dockerignore"])
    assert tag(elsewhere) == tag(root)
