/**
 * As Promise.all, but what fails is thrown when nothing runs any more.
 * @throws the failure of the first one that failed, in the order of the list
 */
export async function settled<T extends readonly unknown[] | []>(
	work: T,
): Promise<{-readonly [Place in keyof T]: Awaited<T[Place]>}> {
	await Promise.allSettled(work);
	return Promise.all(work);
}
