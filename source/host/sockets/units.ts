import type {Protocol} from '../../policy/services.ts';
import {programOfControlGroups} from '../../services/known-programs/find.ts';
import {run} from '../exec/run.ts';
import {systemdAnswers} from '../machine/init-system.ts';

/** What the control groups of a process say about where it belongs. */
type Belonging = {
	readonly unit?: string;
	/** The number of the user whose own service manager runs the unit. */
	readonly userId?: number;
	readonly container?: string;
};

/** A unit whose name can be believed, and stand in a command (systemd.unit(5)). */
const SERVICE = /^[\w:.@\\-]{1,255}\.service$/;

/**
 * Reads /proc/PID/cgroup. Only the outermost service counts: what lies below it is named by the
 * service itself, or by a user.
 */
export function parseControlGroups(text: string): Belonging {
	const paths = text.split('\n').map((line) => line.split(':').slice(2).join(':'));
	const container = programOfControlGroups(paths);
	if (container !== undefined) {
		return {container: container.name};
	}

	for (const path of paths) {
		const parts = path.split('/').filter((part) => part.endsWith('.service'));
		const [first = '', second = ''] = parts;
		const userId = /^user@(\d+)\.service$/.exec(first)?.[1];
		const unit = userId === undefined ? first : second;
		if (SERVICE.test(unit)) {
			return userId === undefined ? {unit} : {unit, userId: Number(userId)};
		}
	}

	return {};
}

/** A socket unit of systemd (systemd.socket(5)). */
export type SocketUnit = {
	readonly name: string;
	/** The service that it starts. */
	readonly service: string;
	/** Where it listens in the network: `[::]:22`, `0.0.0.0:111`. */
	readonly listens: ReadonlyArray<{readonly protocol: Protocol; readonly end: string}>;
};

/** The socket units that systemd has loaded; none where it does not run or does not answer. */
export async function findSocketUnits(timeout: number): Promise<readonly SocketUnit[]> {
	if (!systemdAnswers()) {
		return [];
	}

	const {status, stdout} = await run(
		'systemctl',
		['show', '*.socket', '--property=Id,Triggers,Listen'],
		{timeout},
	);
	return status === 0 ? parseSocketUnits(stdout) : [];
}

/** Reads what `systemctl show '*.socket' --property=Id,Triggers,Listen` prints. */
export function parseSocketUnits(text: string): readonly SocketUnit[] {
	return text.split('\n\n').flatMap((block) => {
		const values = (key: string) =>
			block
				.split('\n')
				.filter((line) => line.startsWith(`${key}=`))
				.map((line) => line.slice(key.length + 1));
		const [name = ''] = values('Id');
		const service = values('Triggers')[0]?.split(' ')[0] ?? '';
		const listens = values('Listen').flatMap((value) => {
			const [, end, kind] = /^(\S+:\d+) \((Stream|Datagram)\)$/.exec(value) ?? [];
			return end === undefined
				? []
				: [{protocol: kind === 'Stream' ? ('tcp' as const) : ('udp' as const), end}];
		});
		const known = SERVICE.test(service) && /^[\w:.@\\-]{1,255}\.socket$/.test(name);
		return known ? [{name, service, listens}] : [];
	});
}
