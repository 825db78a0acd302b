/**
 * The metadata API that the X.509 library needs while it is loaded. A module of its own: in the bundle, only the imports
 * of a module are sure to run before the library, not what the importing module itself does.
 */
import 'reflect-metadata';
