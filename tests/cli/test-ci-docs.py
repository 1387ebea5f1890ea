#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the snippets of docs/ci.md, as far as they can be run without a network.

Each fenced block has a comment before it that says what it is:

    <!-- file: PATH -->     a file of the project that is tested
    <!-- run: NAME -->      lines for a shell; with NAME's guests
    <!-- github: NAME -->   a workflow, whose "run" steps are run
    <!-- gitlab: NAME -->   a job, whose scripts are run
    <!-- prints: NAME -->   what the trapmap of "run: NAME" prints, but for times
    <!-- toml -->           must parse
    <!-- no-kvm -->         what is said where there is no /dev/kvm

All that would install, download or build is replaced (see STUBS); in place of a
kernel there is a tiny guest of that name. In place of the initramfs that the stock
kernel gets there is what its init prints, and in place of that kernel a guest that
prints it: a stock Linux is booted elsewhere, where one can run (tests/lab).

usage: test-ci-docs.py DOC TRAPMAP PACKAGES.sh TREE TEST-KERNEL CONSOLE CRASH
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ElementTree

try:
    import yaml
except ImportError:
    yaml = None

DOC, TRAPMAP, PACKAGES, TREE, TEST_KERNEL, CONSOLE, CRASH = (
    os.path.abspath(path) for path in sys.argv[1:])

SKIP = 77
BLOCK = re.compile(r"(?:^<!-- ([a-z-]+)(?:: (\S+))? -->\n)?"
                   r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
failures = []
checked = 0


def check(holds, what):
    global checked
    checked += 1
    if not holds:
        print(f"FAILED: {what}")
        failures.append(what)


# ---- stand-ins --------------------------------------------------------------

# The folder of the project is $PROJECT; of what was called $CALLS has a line each.
STUBS = {
    # Never the real thing: it would change this host.
    "sudo": 'case $1 in apt-get | apt-cache | dpkg | meson) exec "$@" ;; esac',
    "apt-get": '[ "$1 $2" != "-qq download" ] || : >"$3"_1_amd64.deb',
    "apt-cache": 'echo "$2"; echo "  Depends: linux-image-6.1.0-1-amd64"',
    "dpkg": 'mkdir -p "$3/boot" && cp "$CONSOLE" "$3/boot/vmlinuz-6.1.0-1"',
    "git": '''for dir; do :; done
dir=$(basename "$dir" .git)
case $* in
*kvm-unit-tests*) rm -rf "$dir"; cp -R "$TREE" "$dir"; cd "$dir" || exit
	: >Makefile; printf '#!/bin/sh\\n' >configure; chmod +x configure ;;
esac''',
    "meson": '[ "$1" != install ] || ln -sf "$TRAPMAP" "$BIN/trapmap"',
    "make": "[ -f Makefile ]",
    "rustup": "",
    "cargo": '''dir=target/x86_64-unknown-none/debug
mkdir -p $dir && cp "$TEST_KERNEL" $dir/kernel''',
    # What the init in the archive prints, in place of the archive.
    "cpio": '''cat >"$PROJECT/archived"
sed 's,^/bin/busybox --install.*,:,; s,/tests/,tests/,' init | sh''',
    "mount": "",
    "poweroff": "",
    "gzip": "cat",
    "busybox": "",
}


def make_stubs(folder):
    for name, body in STUBS.items():
        path = os.path.join(folder, name)
        with open(path, "w") as f:
            f.write(f'#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{body}\n')
        os.chmod(path, 0o755)


class Project:
    """A folder with the files of the page, and guests that pass or fail."""

    def __init__(self, files, fails=False):
        self.top = tempfile.mkdtemp(prefix="ci-docs-")
        self.bin = os.path.join(self.top, "bin")
        self.dir = os.path.join(self.top, "project")
        os.makedirs(self.bin)
        os.makedirs(os.path.join(self.dir, "tests"))
        os.makedirs(os.path.join(self.top, "tmp"))
        make_stubs(self.bin)
        for path, text in files.items():
            self.write(path, text)
            if text.startswith("#!"):
                os.chmod(os.path.join(self.dir, path), 0o755)
        self.write("tests/boots.sh", "echo hello\n")
        self.write("tests/disk.sh", f"exit {3 if fails else 0}\n")
        tree = os.path.join(self.top, "tree")
        shutil.copytree(TREE, tree)
        if fails:
            with open(os.path.join(tree, "x86/unittests.cfg"), "a") as f:
                f.write("\n[bad]\nfile = report.flat\ntest_args = fail\n")
        self.env = {
            "PATH": self.bin + ":" + os.environ["PATH"],
            "HOME": self.top, "TMPDIR": os.path.join(self.top, "tmp"),
            "LC_ALL": "C.UTF-8", "BIN": self.bin, "PROJECT": self.dir,
            "CALLS": os.path.join(self.top, "calls"), "TRAPMAP": TRAPMAP,
            "TREE": tree, "TEST_KERNEL": CRASH if fails else TEST_KERNEL,
            "CONSOLE": CONSOLE,
        }
        # A sanitized build's settings, too.
        self.env.update({k: v for k, v in os.environ.items()
                         if k.endswith("SAN_OPTIONS")})

    def write(self, path, text):
        path = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)

    def install(self):
        os.symlink(TRAPMAP, os.path.join(self.bin, "trapmap"))

    def run(self, script, shell=("sh", "-e"), env=None):
        return subprocess.run(
            [*shell, "-c", script], cwd=self.dir, env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def calls(self):
        try:
            with open(self.env["CALLS"]) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def done(self):
        shutil.rmtree(self.top)


def show(result):
    for name in "stdout", "stderr":
        for line in getattr(result, name).splitlines()[-25:]:
            print(f"    {name}| {line}")


def check_outputs(project, name, fails, paths):
    for path in paths:
        check(os.path.exists(os.path.join(project.dir, path)),
              f"{name}: there is no {path} afterwards")
    junit = os.path.join(project.dir, "out/junit.xml")
    if not os.path.exists(junit):
        return
    cases = list(ElementTree.parse(junit).iter("testcase"))
    bad = [c for c in cases if c.find("failure") is not None]
    check(cases and bool(bad) == fails,
          f"{name}: JUnit has {len(bad)} failures of {len(cases)}")
    consoles = [f for _, _, found in os.walk(os.path.join(project.dir, "out"))
                for f in found if f == "console.log"]
    check(consoles, f"{name}: no console was kept")


# ---- the blocks -------------------------------------------------------------

def check_run(name, script, files, fails):
    project = Project(files, fails)
    project.install()
    if name in ("skipped", "tap"):
        project.run("git clone x/kvm-unit-tests.git")
    if name == "maybe":
        project.run("ci/make-guest.sh")
    result = project.run(script)
    # Tests that are left out, or a host on which none would make sense.
    fatal = (fails and name != "skipped"
             and "not tested" not in result.stdout)
    if result.returncode != (1 if fatal else 0):
        check(False, f"run {name}{' (failing)' if fails else ''}: "
              f"status {result.returncode}")
        show(result)
    if "--junit out/junit.xml" in script:
        check_outputs(project, f"run {name}", fails, ["out/junit.xml"])
    if name == "tap" and not fails:
        with open(os.path.join(project.dir, "results.tap")) as f:
            check(f.read().startswith("TAP version 13\n1.."), "TAP in a file")
    if name == "linux" and not fails:
        with open(os.path.join(project.dir, "archived")) as f:
            names = f.read().split()
        check({"./init", "./bin/busybox", "./tests/boots.sh"} <= set(names),
              f"the initramfs lacks something: {names}")
    project.done()
    return result.stdout


def check_prints(name, text, printed):
    def plain(text):
        text = re.sub(r"\d+\.\d+ s", "N s", text)
        text = re.sub(r"  +", "  ", text)
        return re.sub(r"\d+\.\d\d\b", "N", text).strip()

    check(plain(text) == plain(printed),
          f"{name} prints otherwise now:\n{printed}")


def check_github(name, text, files, fails):
    flow = yaml.safe_load(text)
    check(flow.get("name") and flow.get("on", flow.get(True)),
          f"github {name}: no name, or no trigger")
    for job in flow["jobs"].values():
        check(job.get("runs-on") == "ubuntu-latest", f"github {name}: runs-on")
        project = Project(files, fails)
        failed = False
        for step in job["steps"]:
            check(("run" in step) != ("uses" in step),
                  f"github {name}: a step that neither runs nor uses, or both")
            if "upload-artifact" in step.get("uses", ""):
                check(step.get("if") == "always()",
                      f"github {name}: artifacts of a failure are not kept")
                check_outputs(project, f"github {name}", fails,
                              [step["with"]["path"]])
            if "run" not in step or failed:
                continue
            result = project.run(step["run"], ("bash", "-e"), job.get("env"))
            failed = result.returncode != 0
            if failed and not (fails and "trapmap test" in step["run"]):
                check(False, f"github {name}: '{step['run']}' ended with "
                      f"{result.returncode}")
                show(result)
        check(failed == fails, f"github {name}: failed: {failed}")
        check("container" in job or "sudo chmod a+rw /dev/kvm"
              in project.calls(), f"github {name}: /dev/kvm is root's alone")
        project.done()


def check_gitlab(name, text, files, fails):
    for job in yaml.safe_load(text).values():
        check(job["tags"] == ["kvm"], f"gitlab {name}: tags")
        lines = job.get("before_script", []) + job["script"]
        check(all(isinstance(line, str) for line in lines),
              f"gitlab {name}: a line of a script is no text: {lines}")
        project = Project(files, fails)
        result = project.run("\n".join(lines), ("bash", "-eo", "pipefail"),
                             job.get("variables"))
        if result.returncode != (1 if fails else 0):
            check(False, f"gitlab {name}: status {result.returncode}")
            show(result)
        keep = job["artifacts"]
        check(keep["when"] == "always", f"gitlab {name}: artifacts")
        check_outputs(project, f"gitlab {name}", fails,
                      keep["paths"] + [keep["reports"]["junit"]])
        project.done()


def check_installation(files):
    """The packages are those that a build needs, and the options exist."""
    project = Project(files)
    result = project.run("ci/install-trapmap.sh", env={"TRAPMAP_GIT": "x/y.git"})
    check(result.returncode == 0, "ci/install-trapmap.sh")
    calls = project.calls()
    project.done()
    needed = subprocess.run(
        ["sh", "-c", '. "$0"; echo $packages_build', PACKAGES],
        capture_output=True, text=True, check=True).stdout.split()
    named = set(re.search(r"^apt-get.* install (.*)", calls, re.MULTILINE)
                .group(1).split())
    check(set(needed) <= named,
          f"the script does not install {set(needed) - named}")
    with open(os.path.join(os.path.dirname(DOC), "..", "meson_options.txt")) as f:
        known = re.findall(r"^option\('([\w-]+)'", f.read(), re.MULTILINE)
    for option in re.findall(r"meson setup.* -D(\w+)=", calls):
        check(option in known, f"the build has no option {option}")


def check_cargo_runner(files):
    """As cargo starts it: the words of "runner", then the kernel."""
    config = tomllib.loads(files[".cargo/config.toml"])
    runner = config["target"][config["build"]["target"]]["runner"]
    for kernel, status in (TEST_KERNEL, 0), (CRASH, 1):
        project = Project(files)
        project.install()
        result = project.run(f'{runner} "{kernel}"')
        check(result.returncode == status,
              f"cargo's runner ends with {result.returncode}")
        project.done()


def check_without_kvm(text, files):
    project = Project(files)
    project.install()
    shell = ("unshare", "-m", "sh", "-c")
    ready = subprocess.run([*shell, "mount -t tmpfs none /dev"],
                           capture_output=True)
    if ready.returncode:
        print("left out: a /dev without kvm (needs root)")
    else:
        real = shutil.which("mount")
        result = project.run(
            f"{real} -t tmpfs none /dev; exec trapmap test {TEST_KERNEL} 2>&1",
            ("unshare", "-m", "sh"))
        check(result.returncode == 4, f"without KVM: {result.returncode}")
        check(result.stdout == text, f"without KVM it says:\n{result.stdout}")
    result = project.run("trapmap doctor --kvm-device /nonexistent")
    check(result.returncode == 4, "doctor's status without KVM")
    check("What to do" in result.stdout, "doctor's advice without KVM")
    project.done()


# ---- the page ---------------------------------------------------------------

def help_of(command):
    return subprocess.run([TRAPMAP, command, "--help"], capture_output=True,
                          text=True, check=True).stdout


def options_of(text):
    return set(re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", text, re.MULTILINE)) \
        | set(re.findall(r"^  (-\w), ", text, re.MULTILINE))


def check_options(text, helps):
    """Of trapmap's command lines, and of all that is set as code."""
    options = {name: options_of(help) for name, help in helps.items()}
    options["run"] |= {"--cmdline", "--append", "--smp"}
    flat = re.sub(r"\\\n\s*", "", text)
    # A folded YAML text is one line, too.
    flat = re.sub(r"(trapmap test [^\n]*)\n\s+(--)", r"\1 \2", flat)
    lines = re.findall(r"^.*?\btrapmap (test|doctor|run) (.*)$", flat, re.MULTILINE)
    check(len(lines) > 10, "the page has command lines of trapmap")
    for command, rest in lines:
        own, _, behind = rest.partition(" -- ")
        for where, words in (command, own), ("run", behind):
            for word in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", words):
                known = word[:2] if word[1] != "-" else word
                check(known in options[where],
                      f"trapmap {where} has no {word}: {rest}")
    everywhere = set().union(*options.values())
    for word in re.findall(r"`(--?[a-z][a-z-]*)[^`]*`", text):
        check((word[:2] if word[1] != "-" else word) in everywhere,
              f"no command has {word}")


def check_statuses(text, helps):
    """The tables have the statuses that the help has."""
    for command in "test", "run":
        table = re.search(rf"<!-- statuses: {command} -->\n((?:\|.*\n)+)", text)
        here = re.findall(r"^\| ([\w+]+) \|", table.group(1), re.MULTILINE)[1:]
        section = helps[command].split("\nExit status:\n")[1].split("\n\n")[0]
        there = re.findall(r"^  (\S+)  +\S", section, re.MULTILINE)
        check(here == there,
              f"statuses of trapmap {command}: {here}; its help: {there}")


def main():
    with open(DOC) as f:
        text = f.read()
    helps = {name: help_of(name) for name in ("test", "run", "doctor")}
    check_options(text, helps)
    check_statuses(text, helps)
    blocks = [m.groups() for m in BLOCK.finditer(text)]
    for kind, name, _, body in blocks:
        check(kind, f"a block without a word on what it is:\n{body}")
        if kind == "toml":
            tomllib.loads(body)
    files = {name: body for kind, name, _, body in blocks if kind == "file"}
    for path, body in files.items():
        if body.startswith("#!"):
            result = subprocess.run(["sh", "-n"], input=body, text=True)
            check(result.returncode == 0, f"{path}: sh -n")
    try:
        with open("/dev/kvm", "r+b", buffering=0):
            pass
    except OSError as error:
        print(f"skipped: snippets are not run: {error}")
        sys.exit(1 if failures else SKIP)

    check_installation(files)
    check_cargo_runner(files)
    printed = {}
    kinds = {"run": check_run}
    if yaml:
        kinds.update(github=check_github, gitlab=check_gitlab)
    else:
        print("left out: jobs of GitHub and GitLab (needs python3-yaml)")
    for kind, name, _, body in blocks:
        if kind in kinds:
            printed.setdefault(name, kinds[kind](name, body, files, False))
            kinds[kind](name, body, files, True)
        elif kind == "prints":
            check_prints(name, body, printed[name])
        elif kind == "no-kvm":
            check_without_kvm(body, files)
    print(f"{checked} checked, {len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
