import type {Policy} from '../../policy/policy.ts';
import {MADE_BY} from '../shell.ts';
import {printReadme} from './readme.ts';
import {COMPARE_TASKS, HANDLERS, LOAD_TASKS, MAIN_TASKS, MAKE_TASKS, TELL_TASKS} from './tasks.ts';
import {type Variable, variablesOf} from './variables.ts';

/**
 * A role of Ansible (2.14 or later) that gives each host the firewall of its policy. The policy is in variables, and the
 * script of `export shell` is made of it on the controller.
 * @param command what starts this program on the controller; undefined: the role has it in files/fw-wizard/cli.js
 * @returns the files by their paths in the folder of the role
 */
export function printRole(policy: Policy, command?: string): Readonly<Record<string, string>> {
	const variables = variablesOf(policy, command);
	return {
		'README.md': printReadme(variables),
		'defaults/main.yml': yaml(
			`# Say what differs in group_vars and host_vars, not here: an export writes this file anew.\n${variables
				.map(({name, value, does}) => `\n# ${does}\n${name}:${printValue(value)}\n`)
				.join('')}`,
		),
		'handlers/main.yml': yaml(HANDLERS),
		'meta/argument_specs.yml': yaml(printSpecs(variables)),
		'meta/main.yml': yaml(META),
		'tasks/compare.yml': yaml(COMPARE_TASKS),
		'tasks/load.yml': yaml(LOAD_TASKS),
		'tasks/main.yml': yaml(MAIN_TASKS),
		'tasks/make.yml': yaml(MAKE_TASKS),
		'tasks/tell.yml': yaml(TELL_TASKS),
		'tests/inventory': '# Hosts for a test: they get the firewall.\n[test]\n',
		'tests/test.yml': yaml(TEST_PLAY),
		'vars/main.yml': yaml(
			policy.inner === undefined ? VARS : `${VARS}  inner: "{{ fw_wizard_inner }}"\n`,
		),
	};
}

const VARS = `# The policy of a host, as a policy file has it.
fw_wizard_policy:
  version: 1
  role: "{{ fw_wizard_role }}"
  verdict: "{{ fw_wizard_verdict }}"
  helpers: "{{ fw_wizard_helpers }}"
  openings: "{{ (fw_wizard_open + fw_wizard_open_group + fw_wizard_open_host) | unique }}"
  sources: "{{ fw_wizard_sources }}"
  blocked: "{{ fw_wizard_block }}"
  log: "{{ fw_wizard_log | bool }}"
  published: "{{ fw_wizard_published }}"
`;

const META = `galaxy_info:
  role_name: fw_wizard
  namespace: fw_wizard
  author: fw-wizard
  description: A host firewall with iptables, confirmed over a new connection
  license: MIT
  min_ansible_version: "2.14"
  platforms:
    - name: Debian
      versions: [all]
    - name: Ubuntu
      versions: [all]
    - name: EL
      versions: [all]
  galaxy_tags: [firewall, iptables, security]
dependencies: []
`;

/** One host first; where it cannot be reached again, the play ends. */
const TEST_PLAY = `- name: Give the hosts their firewall
  hosts: test
  become: true
  gather_facts: false
  serial: [1, 25%, 100%]
  max_fail_percentage: 0
  roles:
    - role: "{{ playbook_dir | dirname }}"
  post_tasks:
    - name: See that nothing differs any more
      ansible.builtin.assert:
        that: fw_wizard_status.well
      when: not ansible_check_mode
`;

function printSpecs(variables: readonly Variable[]): string {
	return `argument_specs:
  main:
    short_description: A host firewall with iptables, confirmed over a new connection
    options:
${variables
	.map(
		({name, value, type, choices, does}) =>
			`      ${name}:\n        description: ${JSON.stringify(does)}\n        type: ${type}\n${
				type === 'list' ? '        elements: str\n' : ''
			}${choices === undefined ? '' : `        choices: [${choices.join(', ')}]\n`}${
				typeof value === 'object' ? '' : `        default: ${JSON.stringify(value)}\n`
			}`,
	)
	.join('')}`;
}

/** A value as a literal of YAML 1.2, which takes JSON. What looks like a template in a text is none. */
function printValue(value: unknown): string {
	if (Array.isArray(value) && value.length > 0) {
		return value.map((item) => `\n  -${printValue(item)}`).join('');
	}

	const json = JSON.stringify(value);
	return typeof value === 'string' && /\{[{%#]/.test(value) ? ` !unsafe ${json}` : ` ${json}`;
}

function yaml(text: string): string {
	return `---\n${MADE_BY}\n${text}`;
}
