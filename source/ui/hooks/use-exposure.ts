import {useEffect, useMemo, useState} from 'react';
import {requestFlags} from '../../app/apply-request.ts';
import type {ApplyPlan} from '../../app/plan-apply.ts';
import type {Exposure} from '../../exposure/model.ts';
import {describeError} from '../../lib/errors.ts';
import type {Flow} from '../state/state.ts';
import type {HostView} from '../steps/step-props.ts';

export type ExposureState =
	| {readonly status: 'looking'}
	| {readonly status: 'found'; readonly exposure: Exposure}
	| {readonly status: 'failed'; readonly message: string};

const LOOKING: ExposureState = {status: 'looking'};

/**
 * What other hosts can reach before and after the change. It is measured when Review first shows a
 * policy.
 */
export function useExposure(
	{step}: Pick<Flow, 'step'>,
	plan: ApplyPlan,
	{findExposure}: HostView,
): ExposureState {
	const [found, setFound] = useState<{readonly key: string; readonly state: ExposureState}>();
	const active = step === 'review';
	const key = useMemo(() => requestFlags(plan).join(' '), [plan]);

	useEffect(() => {
		if (!active || found?.key === key) {
			return undefined;
		}

		let wanted = true;
		const show = (state: ExposureState) => {
			if (wanted) {
				setFound({key, state});
			}
		};
		findExposure(plan).then(
			(exposure) => show({status: 'found', exposure}),
			(error: unknown) =>
				show({
					status: 'failed',
					message: describeError(error),
				}),
		);
		return () => {
			wanted = false;
		};
	}, [active, key, found?.key, plan, findExposure]);

	return found?.key === key ? found.state : LOOKING;
}
