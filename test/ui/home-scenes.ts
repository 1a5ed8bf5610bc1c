import type {AppliedStatus} from '../../source/app/applied-status.ts';
import type {BlockedLog} from '../../source/app/inspect/log.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {OWN_SERVICES} from '../../source/policy/services.ts';

const OPENINGS = parseOpenings('22/tcp, 80/tcp', OWN_SERVICES);
const [SSH, WEB] = OPENINGS;

/** A web server whose firewall is active, and as it should be. */
export const ACTIVE: AppliedStatus = {
	...{active: true, matches: true, differences: [], earlier: [], published: [], unread: []},
	beside: [],
	policy: completePolicy({role: 'server', openings: OPENINGS}),
	ports: {
		open: [
			...(SSH === undefined ? [] : [{opening: SSH, programs: ['sshd']}]),
			...(WEB === undefined ? [] : [{opening: WEB, programs: ['nginx']}]),
		],
		blocked: [{protocol: 'tcp', port: 5432, program: 'postgres'}],
	},
	applied: {id: 3, time: '2026-11-28T14:02:11.000Z', who: 'root'},
	pending: null,
	lastCheck: {time: '2026-11-28T14:05:00.000Z', well: true, failed: []},
	watch: {
		...{on: true, repair: true, every: 300, looked: '2026-11-28T15:00:00.000Z', open: []},
	},
	boot: {by: 'systemd', ready: true, fault: null},
};

/** What it has blocked: a port on which something listens, and one of a container. */
export const LOG: BlockedLog = {
	...{logging: true, since: '2026-11-28T00:00:00.000Z', lines: 15, unreadable: 0},
	counted: {packets: 12_345, rules: []},
	ports: [
		{
			...{protocol: 'tcp', port: 8080, lines: 12, sources: 3, forwarded: false},
			...{programs: ['java'], last: '2026-11-28T14:00:00.000Z'},
		},
		{
			...{protocol: 'tcp', port: 9000, lines: 3, sources: 1, forwarded: true},
			...{programs: [], last: '2026-11-28T14:00:00.000Z'},
		},
	],
	sources: [
		{address: '203.0.113.9', lines: 12, ports: 30, scan: true, last: '2026-11-28T14:00:00.000Z'},
	],
};
