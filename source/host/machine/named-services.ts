import {parseProfiles, parseServiceXml} from '../../policy/service-files.ts';
import {
	parseServices,
	type ServicePort,
	type Services,
	withOwnServices,
} from '../../policy/services.ts';
import {listFolder, readText} from '../files/read-text.ts';

const PROFILES = '/etc/ufw/applications.d';
/** What stands in /etc replaces what firewalld ships. */
const SERVICES = ['/etc/firewalld/services', '/usr/lib/firewalld/services'];
/** A service may include others, and these may include it again. */
const DEEPEST = 10;

/**
 * The services that have a name on this machine: those of /etc/services and, for what it lacks, ours;
 * then the application profiles of ufw and the services of firewalld. Each of them is read when a name is
 * asked for, those of ufw and firewalld when the others lack it, since there are hundreds of files.
 */
export class NamedServices implements Services {
	#known: ReturnType<typeof withOwnServices> | undefined;
	#profiles: ReadonlyMap<string, readonly ServicePort[]> | undefined;

	get(name: string): readonly ServicePort[] | undefined {
		return this.#table().get(name) ?? this.#profile(name) ?? readService(name, 0);
	}

	has(name: string): boolean {
		return this.get(name) !== undefined;
	}

	/** The names that are not in files of ufw or firewalld. */
	keys(): MapIterator<string> {
		return this.#table().keys();
	}

	#table() {
		this.#known ??= withOwnServices(parseServices(readText('/etc/services') ?? ''));
		return this.#known;
	}

	#profile(name: string): readonly ServicePort[] | undefined {
		this.#profiles ??= new Map(
			listFolder(PROFILES).flatMap((file) => [
				...parseProfiles(readText(`${PROFILES}/${file}`) ?? ''),
			]),
		);
		return this.#profiles.get(name);
	}
}

/** A service of firewalld; names of files are compared in any case. */
function readService(name: string, depth: number): readonly ServicePort[] | undefined {
	const wanted = `${name.toLowerCase()}.xml`;
	const [file] = SERVICES.flatMap((folder) =>
		listFolder(folder)
			.filter((one) => one.toLowerCase() === wanted)
			.map((one) => `${folder}/${one}`),
	);
	return file === undefined || depth > DEEPEST
		? undefined
		: parseServiceXml(readText(file) ?? '', (included) => readService(included, depth + 1));
}
