import {HELPERS, type HelperName} from '../policy/helpers.ts';
import type {Listener} from './listener.ts';

/**
 * The helpers of protocols that are in use here: a server listens for other machines, or a client is connected.
 * @param peers the ports of other machines to which programs here are connected
 */
export function helpersInUse(
	listeners: ReadonlyArray<Pick<Listener, 'protocol' | 'port' | 'reach'>>,
	peers: ReadonlyArray<Pick<Listener, 'protocol' | 'port'>>,
): readonly HelperName[] {
	const outside = listeners.filter(({reach}) => reach === 'outside');
	return HELPERS.filter(({client, server, ports}) =>
		[...(server ? outside : []), ...(client ? peers : [])].some((used) =>
			ports.some(({protocol, port}) => protocol === used.protocol && port === used.port),
		),
	).map(({name}) => name);
}
