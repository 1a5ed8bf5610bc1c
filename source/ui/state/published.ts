import {governPublished, groupPublished} from '../../app/govern-published.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Ports} from '../../policy/port-openings.ts';
import {publicPurposeOf} from '../../services/public-ports.ts';
import type {Flow} from './state.ts';

/**
 * The state with a policy that governs published ports or not: as the user says, else as recommended. In a
 * cluster they are left to it, whatever was said.
 */
export function withPublished(flow: Flow): Flow {
	const {value: here} = flow.known.publishing;
	return here === undefined
		? flow
		: {
				...flow,
				policy: governPublished(
					flow.policy,
					here,
					here.cluster === undefined ? flow.published : undefined,
					undefined,
				),
			};
}

/** The openings of published ports that are plainly for everybody; empty where the policy leaves them. */
export function openingsForPublic({policy, known}: Flow): readonly Opening[] {
	const {value: here} = known.publishing;
	return policy.published !== 'policy' || policy.role !== 'server' || here === undefined
		? []
		: groupPublished(here.ports)
				.filter(({ports}) => publicPurpose(ports) !== undefined)
				.map(({ports}) => openingOfPublished(ports));
}

/** What a published port is for, where that is plainly for everybody: `the web`. */
export function publicPurpose({protocol, first, last}: Ports): string | undefined {
	return first === last ? publicPurposeOf({protocol, port: first}) : undefined;
}

/** The opening that opens published ports for all sources. */
export function openingOfPublished(ports: Ports): Opening {
	return {kind: 'port', ...ports, limit: false};
}
