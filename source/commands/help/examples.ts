import {commandLine} from '../../lib/command-line.ts';

/** A command to copy, as what follows the program's name, and what it does. */
export type Example = {readonly args: string; readonly does: string};

/** Two or three examples of each command; the wizard has no name. */
const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
	'': [
		{args: '--rehearse', does: 'Try the wizard in a private copy of this machine'},
		{args: '', does: 'Set up the firewall'},
		{
			args: '--host admin@server.example.com',
			does: 'Set up the firewall of a server over ssh; nothing has to be installed there',
		},
	],
	rules: [
		{args: 'rules --role server --open ssh --open https', does: 'Rules for iptables-restore'},
		{args: 'rules --role server --format commands', does: 'The same as plain commands'},
		{
			args: 'rules --role server --switch-off ufw',
			does: 'What a change from ufw would load; nothing is touched',
		},
	],
	apply: [
		{
			args: 'apply --role server --open ssh --open https',
			does: 'Open two ports; log in again within 60 s to confirm',
		},
		{
			args: 'apply --role server --open ssh --source cdn=/etc/cdn.txt --open "443/tcp from @cdn"',
			does: 'Open HTTPS to the networks in a file, one a line',
		},
	],
	open: [
		{args: 'open 8080/tcp --for 2h', does: 'Open a port for two hours'},
		{
			args: 'open "5432/tcp from @office" --source office=10.0.0.0/8,fd00::/8',
			does: 'Open a port to networks, by a name for them',
		},
	],
	close: [
		{args: 'close 8080/tcp', does: 'Close a port'},
		{args: 'close "5432/tcp from @office"', does: 'Close a port to a group of networks'},
	],
	confirm: [
		{args: 'confirm', does: 'In a new login: confirm the change'},
		{args: 'confirm keep', does: 'Confirm it from the session that applied it'},
	],
	undo: [
		{args: 'undo', does: 'Restore the rules and files from before the last change'},
		{args: 'undo --list', does: 'List the changes'},
		{args: 'undo --all', does: 'Remove every rule and file of fw-wizard'},
	],
	prove: [
		{
			args: 'prove --role server --open ssh',
			does: 'Send a packet to every port of a copy with these rules',
		},
		{args: 'prove --of running', does: 'Prove the loaded rules'},
		{args: 'prove --nmap scan.xml', does: 'Compare a scan from another machine to the policy'},
	],
	exposure: [
		{args: 'exposure', does: 'What can be reached now'},
		{args: 'exposure --role server --open ssh', does: 'Now, and with this policy'},
		{args: 'exposure --packet "tcp 80 from 192.0.2.7"', does: 'What happens to one packet'},
	],
	facts: [
		{args: 'facts', does: 'What is known of this machine'},
		{args: 'facts --json --mask', does: 'The same for a bug report, without your addresses'},
	],
	check: [
		{args: 'check', does: 'Check the rules now, and of the next boot'},
		{args: 'check --fix', does: 'Repair the rules and files of fw-wizard'},
		{args: 'check --tick scanned', does: 'Note that you scanned from another machine'},
	],
	status: [
		{args: 'status', does: 'Whether the firewall is active, what is open and who listens'},
		{args: 'status --json', does: 'The same for a program'},
		{args: '--host web1 --host web2 status', does: 'One row for each of several servers'},
	],
	why: [
		{args: 'why 443', does: 'Whether a port is open to anybody, and by which rule'},
		{args: 'why 198.51.100.7 22', does: 'Whether it is open to one address'},
		{args: 'why 198.51.100.7 53/udp --prove', does: 'Try a packet in a copy of this machine too'},
	],
	diff: [
		{args: 'diff', does: 'What is open that the policy does not open, and the other way round'},
		{args: 'diff 3', does: 'What has opened and closed since change 3'},
		{args: 'diff old.json new.json', does: 'The same between two policy files'},
	],
	log: [
		{args: 'log', does: 'What was blocked, how often, and what listens there'},
		{args: 'log --since 1h', does: 'The log of the last hour alone'},
		{args: 'log --follow', does: 'Each blocked packet as it is logged'},
	],
	watch: [
		{args: 'watch', does: 'What the watch has found'},
		{args: 'watch on --repair', does: 'Load missing rules again, at any time'},
		{
			args: 'watch on --notify /usr/local/sbin/alert --textfile /var/lib/prometheus/node-exporter/fw-wizard.prom',
			does: 'Run a program when something is wrong, and write metrics',
		},
	],
	report: [
		{args: 'report --html report.html', does: 'A page for an audit, to open in a browser or print'},
		{args: 'report --prove > report.md', does: 'The same as Markdown, with a proof made now'},
		{
			args: 'report --fleet hosts/*.json --html fleet.html --textfiles /var/lib/prometheus/node-exporter',
			does: 'A page and metrics of many hosts: hosts/web1.json has the output of check --json on web1',
		},
	],
	export: [
		{
			args: 'export ansible --role-dir roles/fw_wizard --role server --open ssh',
			does: 'A role of Ansible, for many machines',
		},
		{args: 'export nft > firewall.nft', does: 'The applied policy for nftables'},
	],
	schema: [
		{args: 'schema policy > policy.schema.json', does: 'For an editor that checks policy files'},
		{args: 'schema status', does: 'What the fields of status --json are'},
	],
	completion: [
		{
			args: 'completion bash > /etc/bash_completion.d/fw-wizard',
			does: 'Complete commands and flags in bash, for all users',
		},
		{args: 'completion fish | source', does: 'In this fish'},
	],
	man: [
		{args: 'man | man -l -', does: 'Read the manual'},
		{args: 'man > /usr/local/share/man/man8/fw-wizard.8', does: 'Install it for man(1)'},
	],
	help: [
		{args: 'help apply', does: 'The flags of a command'},
		{args: 'help', does: 'All commands'},
	],
};

/** The examples of a command; none for one that has none. @param name of the command; '' for the wizard */
export function examplesOf(name: string): readonly Example[] {
	return EXAMPLES[name] ?? [];
}

/** The examples at the end of `--help`, as the reader can type them. */
export function helpExamples(name: string): string {
	const lines = examplesOf(name).map(({args, does}) => `  ${does}:\n    ${commandLine(args)}`);
	return lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}\n`;
}
