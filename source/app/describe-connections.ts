import {joinSome} from '../lib/list.ts';
import {printable} from '../lib/printable.ts';
import type {ApplyPlan} from './plan-apply.ts';

/** Further connections are counted. */
const MOST_NAMED = 4;

/** What becomes of the connections at ports that the rules block, a line each, without a full stop. */
export function describeConnections({cutOff}: Pick<ApplyPlan, 'cutOff'>): readonly string[] {
	const named = (stays: boolean) => {
		const all = cutOff
			.filter((one) => one.stays === stays)
			.map(
				({program, remoteAddress, localPort}) =>
					`${program === undefined ? '' : `${printable(program)} with `}${remoteAddress} on ${localPort}/tcp`,
			);
		return joinSome([...new Set(all)], MOST_NAMED);
	};
	const [ending, staying] = [named(false), named(true)];
	return [
		...(ending === ''
			? []
			: [`These connections may end, install conntrack to keep them: ${ending}`]),
		...(staying === ''
			? []
			: [`These connections stay, and these rules block new ones: ${staying}`]),
	];
}
