import {HELPERS, type HelperName} from '../policy/helpers.ts';
import type {Listener} from './listener.ts';

/** The helpers of whose protocols a server listens for other machines. */
export function helpersServing(
	listeners: ReadonlyArray<Pick<Listener, 'protocol' | 'port' | 'reach'>>,
): readonly HelperName[] {
	const outside = listeners.filter(({reach}) => reach === 'outside');
	return HELPERS.filter(
		({server, ports}) =>
			server &&
			ports.some((one) =>
				outside.some(({protocol, port}) => protocol === one.protocol && port === one.port),
			),
	).map(({name}) => name);
}
