import type {Published} from '../../../source/existing/nat/published-ports.ts';
import type {Listener} from '../../../source/services/listener.ts';

/** A socket that listens on all IPv4 addresses, over TCP unless something else is said. */
export function socketOn(port: number, more: Partial<Listener> = {}): Listener {
	return {
		protocol: 'tcp',
		address: '0.0.0.0',
		families: [4],
		port,
		reach: 'outside',
		...more,
	};
}

/** A container's port, as Docker publishes it. */
export const CONTAINER: Published = {
	families: [4],
	protocol: 'tcp',
	address: '0.0.0.0',
	port: 8080,
	to: '172.17.0.2:80',
	by: 'Docker',
};
