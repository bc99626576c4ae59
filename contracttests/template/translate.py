"""Translates a SAM template as CloudFormation does, and lints what comes out.

Standard input is JSON: the template's text, and a list of sets of parameters. Standard output is JSON: the versions of the
tools, and for each set the translated template and the findings of cfn-lint. AWS runs the same translator: SAM's transform.
"""

import json
import os
import sys
from importlib.metadata import version

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # the translator asks for the partition of a region

import cfnlint.api
import samtranslator.yaml_helper
from samtranslator.parser.parser import Parser
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """Stands for AWS's list of managed policies, of which the template names none."""

    def load(self):
        return {}


def translate(text, code, parameters):
    """Returns the template that CloudFormation would deploy after sam has uploaded the code."""
    template = samtranslator.yaml_helper.yaml_parse(text)
    if "Transform" not in template:
        return template
    template["Globals"]["Function"]["CodeUri"] = code
    values = {
        name: str(parameters.get(name, declared.get("Default", "")))
        for name, declared in template["Parameters"].items()
    }
    return transform(template, values, NoManagedPolicies())


def lint(template, regions):
    """Returns the findings of cfn-lint, errors and warnings alike."""
    found = cfnlint.api.lint(json.dumps(template), config=cfnlint.api.ManualArgs(regions=regions))
    return [f"{f.rule.id} {'/'.join(str(part) for part in f.path)}: {f.message}" for f in found]


def main():
    asked = json.load(sys.stdin)
    answers = []
    for one in asked["sets"]:
        template = translate(asked["template"], one["code"], one["parameters"])
        findings = lint(template, asked["regions"]) if one["lint"] else []
        answers.append({"template": template, "findings": findings})
    versions = {name: version(name) for name in ("aws-sam-translator", "cfn-lint")}
    json.dump({"versions": versions, "sets": answers}, sys.stdout)


main()
