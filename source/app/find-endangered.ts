import {canKeepConnections} from '../change/preserve-connections.ts';
import {inboundOf, readTcpSockets} from '../host/sockets/proc-net.ts';
import {findLockouts} from '../ruleset/lockout.ts';
import type {RuleSet} from '../ruleset/model.ts';

/** Connections of others that these rules would stall, where they cannot be told to conntrack. */
export function findEndangered(ruleSet: RuleSet): readonly string[] {
	return canKeepConnections()
		? []
		: inboundOf(readTcpSockets())
				.filter(({localPort, remoteAddress}) => {
					const accessPorts = [{protocol: 'tcp', first: localPort, last: localPort}] as const;
					return (
						findLockouts(ruleSet, {client: remoteAddress, inInterface: undefined, accessPorts})
							.length > 0
					);
				})
				.map(({localPort, remoteAddress}) => `${remoteAddress} on ${localPort}/tcp`);
}
