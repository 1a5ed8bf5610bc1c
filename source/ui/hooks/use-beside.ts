import {useEffect, useMemo, useState} from 'react';
import {requestFlags} from '../../app/apply-request.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {HostView} from '../steps/step-props.ts';

const NOTHING: readonly string[] = [];

/**
 * A plan with what other programs' rules that stay open or block against the policy among its advice. That
 * takes a second where there are such rules, and is found once for each policy, when Review is entered.
 */
export function useBeside(
	plan: ApplyPlan,
	active: boolean,
	{findBeside}: Pick<HostView, 'findBeside'>,
): ApplyPlan {
	const [found, setFound] = useState<Readonly<Record<string, readonly string[]>>>({});
	const key = useMemo(() => requestFlags(plan).join(' '), [plan]);
	useEffect(() => {
		if (active && found[key] === undefined) {
			setFound((all) => ({...all, [key]: NOTHING}));
			void findBeside(plan).then(({lines}) => setFound((all) => ({...all, [key]: lines})));
		}
	}, [active, key, found, plan, findBeside]);
	const lines = found[key] ?? NOTHING;
	return useMemo(
		() => (lines.length === 0 ? plan : {...plan, advice: [...plan.advice, ...lines]}),
		[plan, lines],
	);
}
