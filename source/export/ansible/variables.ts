import {HELPER_NAMES} from '../../policy/helpers.ts';
import {type Policy, ROLES, VERDICTS} from '../../policy/policy.ts';
import {policyToJson} from '../../policy/print-policy.ts';
import {PUBLISHED} from '../../policy/published.ts';

/** A variable of the role: its value where nobody says another, and what it is for. */
export type Variable = {
	readonly name: string;
	readonly value: unknown;
	readonly type: 'str' | 'int' | 'bool' | 'list' | 'dict';
	readonly choices?: readonly string[];
	readonly does: string;
};

/** The variables of the role, with a policy as what they are where nobody says otherwise. */
export function variablesOf(policy: Policy, command: string | undefined): readonly Variable[] {
	const {role, verdict, helpers, openings, sources, blocked, log, published, inner} =
		policyToJson(policy);
	const groups = Object.entries(sources ?? {}).map(([name, group]) => [
		name,
		Array.isArray(group) ? group : (group.networks ?? []),
	]);
	return [
		{
			...{name: 'fw_wizard_role', value: role, type: 'str', choices: ROLES},
			does: 'What the hosts are: a server, or a workstation.',
		},
		{
			...{name: 'fw_wizard_verdict', value: verdict, type: 'str', choices: VERDICTS},
			does: 'What happens to blocked packets.',
		},
		{
			...{name: 'fw_wizard_open', value: openings, type: 'list'},
			does: 'What is open on all hosts, as after --open: 22/tcp, ssh, "5432/tcp from 10.0.0.0/8".',
		},
		{
			...{name: 'fw_wizard_open_group', value: [], type: 'list'},
			does: 'What is open besides, for group_vars.',
		},
		{
			...{name: 'fw_wizard_open_host', value: [], type: 'list'},
			does: 'What is open besides, for host_vars.',
		},
		{
			...{name: 'fw_wizard_sources', value: Object.fromEntries(groups), type: 'dict'},
			does: 'Named groups of networks, for "22/tcp from @NAME": a list of networks for each name.',
		},
		{
			...{name: 'fw_wizard_block', value: blocked ?? [], type: 'list'},
			does: 'Addresses and networks that are blocked, also on open ports.',
		},
		{
			...{name: 'fw_wizard_helpers', value: helpers, type: 'list', choices: HELPER_NAMES},
			does: 'Conntrack helpers.',
		},
		{
			...{name: 'fw_wizard_log', value: log, type: 'bool'},
			does: 'Whether blocked packets are logged.',
		},
		{
			...{
				name: 'fw_wizard_published',
				value: published ?? 'leave',
				type: 'str',
				choices: PUBLISHED,
			},
			does: 'Who decides on ports that containers publish: this policy, or only their program.',
		},
		...(inner === undefined
			? []
			: [
					{
						...({name: 'fw_wizard_inner', value: inner, type: 'list'} as const),
						does: 'The interfaces behind which are containers and guests.',
					},
				]),
		{
			...{name: 'fw_wizard_report_only', value: false, type: 'bool'},
			does: 'Report what differs, and change nothing.',
		},
		{
			...{name: 'fw_wizard_switch_off', value: false, type: 'bool'},
			does: 'Switch off ufw and firewalld where they are active. Otherwise the role fails there.',
		},
		{
			...{name: 'fw_wizard_seconds_to_confirm', value: 60, type: 'int'},
			does: 'Seconds until the host restores the old rules, unless a new connection has confirmed the new ones.',
		},
		{
			...{name: 'fw_wizard_seconds_to_log_in', value: 30, type: 'int'},
			does: 'Seconds within which a new connection must reach the host.',
		},
		{
			...{name: 'fw_wizard_status_dir', value: '', type: 'str'},
			does: 'A folder of the controller that gets the state of each host as HOST.json. Empty: none.',
		},
		{
			...{name: 'fw_wizard_command', value: command === undefined ? [] : [command], type: 'list'},
			does: 'What starts fw-wizard on the controller. Empty: node, with the file of this role.',
		},
	];
}
