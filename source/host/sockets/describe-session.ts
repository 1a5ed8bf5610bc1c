import {printable} from '../../lib/printable.ts';
import {printAccessPort} from '../../ruleset/lockout.ts';
import type {Session} from './session.ts';

/** How the user is connected to this machine, as half a sentence. */
export function describeSession(session: Session): string {
	switch (session.kind) {
		case 'console':
			return "at the machine's own console";
		case 'unknown':
			return 'how you are connected could not be detected';
		case 'remote':
			return `from ${session.client ?? 'outside'}, through ${session.accessPorts.map(printAccessPort).join(' and ')}${session.dialled === undefined ? '' : `, in the tunnel ${printable(session.dialled)}, which this machine dials: no port of it need be open`}`;
	}
}
