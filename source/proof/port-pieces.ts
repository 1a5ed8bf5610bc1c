import type {PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';

export const SENDING_ORDER: readonly Protocol[] = ['udp', 'tcp'];
/** Lost packets are sent again, this often in all. */
export const TRIES = 4;
/** Ports in one request to a sender: progress is reported after each. */
const PIECE = 8192;

/** The ports in parts, one request to a sender each. */
export function pieces(ports: readonly PortRange[]): ReadonlyArray<readonly PortRange[]> {
	const cut: PortRange[] = [];
	for (const {first, last} of ports) {
		for (let start = first; start <= last; start += PIECE) {
			cut.push({first: start, last: Math.min(last, start + PIECE - 1)});
		}
	}

	// Many short ranges go into one request: the requests would take longer than the packets.
	return cut.length > 64 ? [cut] : cut.map((piece) => [piece]);
}
