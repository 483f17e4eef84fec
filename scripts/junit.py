# SPDX-License-Identifier: BSD-2-Clause
"""What a KTAP parser found, as JUnit XML.

1. One <testsuite> for each suite of each run, its results in their order; a last one, named after the whole, has the
   faults as errors.
2. A failed test is a <failure>, a skipped one <skipped> with its reason; times are those between results, where the
   reader knew them. What the console said before a result is its <system-out>.
3. Whatever bytes came, the file is well formed: what XML cannot hold is written as \\xNN.
4. The attributes and their order of elements are those that the schemas of Jenkins and of Ant's junit task agree on.
"""

import os
import tempfile
import xml.etree.ElementTree as ET

from ktap_lines import shown


def write(path, parser, name):
    """Write @path whole or not at all."""
    suites = {}
    for result in parser.results:
        suites.setdefault((result.run, "/".join(result.path) or name), []).append(result)
    root = ET.Element("testsuites", name=shown(name))
    for (run, suite), results in suites.items():
        _suite(root, suite if run == 1 else f"{suite} (run {run})", [_result_case(one, suite) for one in results])
    if parser.faults or parser.notes or not suites:
        cases = [_fault_case(fault, name) for fault in parser.faults]
        element = _suite(root, f"{name}: the run as a whole", cases)
        ET.SubElement(element, "system-out").text = shown("\n".join([f"verdict: {parser.verdict}", *parser.notes]))
    for count in "tests", "failures", "errors", "skipped":
        root.set(count, str(sum(int(element.get(count)) for element in root)))
    root.set("time", f"{sum(float(element.get('time')) for element in root):.3f}")
    ET.indent(root)
    _replace(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root, name, cases):
    element = ET.SubElement(root, "testsuite", name=shown(name), tests=str(len(cases)))
    for attribute, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")
    element.extend(cases)
    return element


def _result_case(result, suite):
    case = ET.Element("testcase", name=shown(result.case), classname=shown(suite))
    if result.seconds is not None:
        case.set("time", f"{result.seconds:.3f}")
    if result.skipped:
        ET.SubElement(case, "skipped", message=shown(result.directive.removeprefix("SKIP").strip()))
    elif not result.passed:
        failure = ET.SubElement(case, "failure", message=f"not ok, line {result.line}", type="not ok")
        failure.text = shown("\n".join(line for line in result.output if line.lstrip().startswith("#")))
    if result.output:
        ET.SubElement(case, "system-out").text = shown("\n".join(result.output))
    return case


def _fault_case(fault, name):
    case = ET.Element("testcase", name=fault, classname=shown(name))
    ET.SubElement(case, "error", message=fault, type="fault")
    return case


def _replace(path, data):
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".", prefix=".junit-", delete=False) as file:
        file.write(data)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
