import {quoteIfNeeded} from '../lib/shell-quote.ts';
import {programNamed, programOfProxy} from './known-programs/find.ts';
import {KNOWN_SERVICES, type KnownService} from './known-services.ts';
import {type Listener, programOf} from './listener.ts';

/** What the user can do about a listener instead of opening its port. fw-wizard runs none of it. */
type Advice = {
	/** What it is called, safe to print. */
	readonly name: string;
	/** The exact command that stops it, now and at boot. */
	readonly stop: string | undefined;
	/** The file in which it is bound to loopback, and what to write there. */
	readonly loopback: {readonly file: string; readonly setting: string} | undefined;
	/** That its port changes at each start, and what to do about it, in one sentence without a full stop. */
	readonly portByChance: string | undefined;
	/** What else the user should know, in one sentence without a full stop. */
	readonly note: string | undefined;
};

/** The fields of a listener that advice depends on. */
export type Advised = Pick<
	Listener,
	| 'process'
	| 'unit'
	| 'unitOf'
	| 'socketUnit'
	| 'bySocket'
	| 'container'
	| 'kernel'
	| 'port'
	| 'protocol'
>;

/** How to protect a port without a firewall: stop the program that listens, or bind it to loopback. */
export function adviseOn(listener: Advised): Advice {
	const known = findKnownService(listener);
	if (listener.container !== undefined) {
		return adviseOnContainer(listener, listener.container);
	}

	return {
		name: known?.name ?? programOf(listener) ?? 'an unknown process',
		stop: stopCommand(listener, known),
		loopback: loopbackOf(listener, known),
		portByChance: portByChanceOf(listener, known),
		note:
			known?.note ??
			(listener.kernel
				? 'No process has this socket, but the kernel: WireGuard, NFS and others do so'
				: undefined),
	};
}

/** The first of the ports that Linux gives to sockets which ask for any (ip_local_port_range). */
export const EPHEMERAL = 32_768;

/** A port below the range that Linux gives away was named by the user. */
function portByChanceOf(
	{protocol, port, kernel}: Advised,
	known: KnownService | undefined,
): string | undefined {
	if (port < EPHEMERAL) {
		return undefined;
	}

	// No process has the sockets of the lock manager. WireGuard, whose sockets are alike, has none of TCP.
	return kernel && protocol === 'tcp' && known === undefined
		? "If it belongs to NFS's lock manager, it changes at each start: give it a fixed port (port= and udp-port= under [lockd] in /etc/nfs.conf)"
		: known?.portByChance === undefined
			? undefined
			: `This port changes at each start of ${known.name}: ${known.portByChance}`;
}

/** The known service of a listener, by its process and unit, or by its port where the kernel has opened it. */
export function findKnownService({
	process = '',
	unit = '',
	kernel,
	port,
}: Pick<Listener, 'process' | 'unit' | 'kernel' | 'port'>): KnownService | undefined {
	if (kernel) {
		return KNOWN_SERVICES.find(({kernelPorts}) => kernelPorts?.includes(port));
	}

	const named = KNOWN_SERVICES.find(
		(service) =>
			service.processes.includes(process) &&
			(service.unit === undefined || unit.startsWith(service.unit)),
	);
	// systemd holds the socket of a service until the first connection starts it.
	return named ?? (process === 'systemd' ? KNOWN_SERVICES.find(isUnitOf(unit)) : undefined);
}

function isUnitOf(unit: string): (service: KnownService) => boolean {
	const base = unit.replace(/(@.*)?\.service$/, '').replace(/^ssh$/, 'sshd');
	return ({processes}) => processes.includes(base);
}

function stopCommand(listener: Advised, known: KnownService | undefined): string | undefined {
	const {unit, unitOf, socketUnit} = listener;
	if (unit === undefined && socketUnit === undefined) {
		return undefined;
	}

	const own = [socketUnit, unit].filter((name) => name !== undefined);
	const units = (unitOf === undefined ? known?.units : undefined) ?? own;
	if (units.length === 0) {
		return undefined;
	}

	const manager = unitOf === undefined ? '' : `--user --machine=${quoteIfNeeded(`${unitOf}@`)} `;
	return `systemctl ${manager}disable --now ${units.map(quoteIfNeeded).join(' ')}`;
}

function loopbackOf(listener: Advised, known: KnownService | undefined): Advice['loopback'] {
	const sensible = known === undefined || known.loopback !== undefined;
	// The service gets a socket that is bound already: only the socket unit says where it listens.
	if (listener.bySocket && listener.socketUnit !== undefined && sensible) {
		const key = listener.protocol === 'tcp' ? 'ListenStream' : 'ListenDatagram';
		return {
			file: `/etc/systemd/system/${listener.socketUnit}.d/loopback.conf`,
			setting: `${key}= and then ${key}=127.0.0.1:${listener.port}, under [Socket]`,
		};
	}

	return known?.loopback?.(listener);
}

/** The program that runs a container stops it and binds its ports, not the process that listens for it. */
function adviseOnContainer({process, port, protocol}: Advised, container: string): Advice {
	const program = programNamed(container)?.command;
	const published = process !== undefined && programOfProxy(process) !== undefined;
	return {
		portByChance: undefined,
		name: published
			? `a port of a container (${container})`
			: `${process ?? 'a process'} in a container (${container})`,
		stop:
			program === undefined || !published
				? undefined
				: `${program} stop $(${program} ps --quiet --filter publish=${port}/${protocol})`,
		loopback: published
			? {
					file: 'the command or the compose file that starts it',
					setting: `-p 127.0.0.1:${port}:PORT${protocol === 'udp' ? '/udp' : ''}`,
				}
			: undefined,
		note:
			published && container === 'Docker'
				? 'What Docker publishes is forwarded and bypasses INPUT: a policy closes it where it governs published ports (--published policy)'
				: 'It is stopped, or bound to loopback, by what runs the container',
	};
}
