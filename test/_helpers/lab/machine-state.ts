import {plain} from '../samples/saves.ts';
import type {Host} from './namespaces.ts';

/** All that a change changes, in both families; and what fw-wizard has written for itself. */
export type MachineState = {
	readonly rules: string;
	/** What the next boot loads, with the policy. */
	readonly files: string;
	/** The names of the files in the program's own folders. */
	readonly names: readonly string[];
	readonly journal: readonly string[];
};

const MARK = '--- next ---';

const LOOK = [
	'iptables-save && ip6tables-save',
	'find /etc/fw-wizard /etc/modules-load.d /etc/systemd/system -type f -name "*fw-wizard*" -o -path "/etc/fw-wizard/*" -type f | sort | xargs -r tail -n +1',
	'find /etc/fw-wizard /var/lib/fw-wizard -type f',
	'cat /var/lib/fw-wizard/journal',
].join(` && echo "${MARK}" && `);

/** Looks at everything at once. */
export async function readState(host: Host): Promise<MachineState> {
	const [rules = '', files = '', names = '', journal = ''] = (
		await host.must('sh', ['-c', LOOK])
	).split(`${MARK}\n`);
	return {
		// Tables come into being when they are first used, and stay.
		rules: plain(rules).replace(/^\*\w+\n(:\w+ ACCEPT \[0:0\]\n)*COMMIT\n/gm, ''),
		files,
		names: names.trim().split('\n').sort(),
		journal: journal.trim().split('\n'),
	};
}

/** What none of the program's own files may be called when it is at rest. */
export function strayNames({names}: MachineState): readonly string[] {
	return names.filter((name) => !OWN_NAMES.test(name));
}

const OWN_NAMES =
	/^\/etc\/fw-wizard\/(policy\.json|floor|restore|watch)$|^\/var\/lib\/fw-wizard\/(command|journal|last-check\.json|lock|watch\/record(\.new)?|changes\/\d+\/(meta\.json|rollback|was-[46]-\w+|loaded|done|rolled-back))$/;
