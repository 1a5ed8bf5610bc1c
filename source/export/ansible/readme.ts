import {SCRIPT_FILE} from '../shell.ts';
import type {Variable} from './variables.ts';

/** What the role does, how it is used, and its variables, as Markdown. */
export function printReadme(variables: readonly Variable[]): string {
	return `# fw_wizard

Gives Linux hosts a firewall with iptables, for IPv4 and IPv6, and shows what differs from it. The hosts need sh and
iptables, and what Ansible itself needs. The controller needs Node 20.19 or later, or the program that
\`fw_wizard_command\` names.

## Use

\`\`\`yaml
- name: Give the hosts their firewall
  hosts: all
  become: true
  gather_facts: false
  serial: [1, 25%, 100%] # the first host is the canary
  max_fail_percentage: 0 # the play ends where a host cannot be reached again
  roles:
    - role: fw_wizard
\`\`\`

What all hosts have is in \`defaults/main.yml\`, which an export writes anew. What differs is said per group and host:

\`\`\`yaml
# group_vars/web.yml
fw_wizard_open_group: [80/tcp, 443/tcp]
# host_vars/db1.yml
fw_wizard_open_host: [5432/tcp from 10.0.0.0/8]
\`\`\`

## What a run does

1. The controller makes a script of the policy of the host.
2. The host is compared with it by content: the loaded rules of both families and their order, the jumps to them, the
   files of the next boot, the units, the watch. Nothing of the firewall is written for that, so \`--check --diff\` works from the first
   run on.
3. Where something differs, the rules are loaded, and confirmed over a new connection. Without one the host restores the
   old rules after \`fw_wizard_seconds_to_confirm\`, and the run fails for this host. A local connection, as of
   ansible-pull, shows nothing of that.
4. Where nothing differs, nothing changes.

With \`fw_wizard_report_only: true\` what differs is reported as a change, and left as it is. Where ufw or firewalld is
active, the run fails, unless \`fw_wizard_switch_off: true\`. Rules that another program has put before those of fw-wizard
since they were confirmed are never removed: the run fails, and names them.

The fact \`fw_wizard_status\` has the state: \`well\`, \`ipv4\`, \`ipv6\`, \`next_boot\`, \`watch\`, \`drift\`, \`foreign\`, \`before\`,
\`firewalls\`. With \`fw_wizard_status_dir\` it is written on the controller, too, as HOST.json.

\`${SCRIPT_FILE} remove\`, run on a host, removes all of it. \`tests/test.yml\` is a play for the hosts in
\`tests/inventory\`.

## Variables

| Variable | Default | |
|---|---|---|
${variables
	.map(
		({name, value, does}) =>
			`| \`${name}\` | \`${JSON.stringify(value).replaceAll('|', '\\|')}\` | ${does.replaceAll('|', '\\|')} |\n`,
	)
	.join('')}`;
}
