import type {Protocol} from '../../policy/services.ts';
import {programOfControlGroups} from '../../services/known-programs/find.ts';
import {run} from '../exec/run.ts';
import {systemdAnswers} from '../machine/init-system.ts';

/** The unit or the container to which a process belongs, by its control groups. */
export type Belonging = {
	readonly unit?: string;
	/** The number of the user whose service manager runs the unit; undefined for units of the system. */
	readonly userId?: number;
	readonly container?: string;
};

/** The names that systemd allows for a service (systemd.unit(5)); they are safe in a command. */
const SERVICE = /^[\w:.@\\-]{1,255}\.service$/;

/**
 * Parses /proc/PID/cgroup. Only the outermost service counts, since the service itself, or a user,
 * chooses the names of the groups below it.
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
	/** The addresses and ports on which it listens, as `[::]:22` and `0.0.0.0:111`. */
	readonly listens: ReadonlyArray<{readonly protocol: Protocol; readonly end: string}>;
};

/**
 * The socket units that systemd has loaded; none where systemd does not run or does not answer in
 * time.
 */
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

/** Parses what `systemctl show '*.socket' --property=Id,Triggers,Listen` prints. */
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
